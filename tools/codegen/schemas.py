"""Prepares the schemas of a document for `modules`, which writes them as Python.

What comes out has one component for each class and each alias, under its Python name; schemas that
stand inline are lifted out, and newtypes are put in where they are used.
"""

import contextlib
from dataclasses import dataclass, field
from pathlib import PurePath

from tools.codegen import directions
from tools.codegen.defaults import drop_wrong_defaults
from tools.codegen.document import JSON, Document, Node
from tools.codegen.errors import SpecError
from tools.codegen.inheritance import settle_bases
from tools.codegen.names import Names, class_name, module_of, pascal_case
from tools.codegen.operations import Operation, Operations
from tools.codegen.schema_types import Types
from tools.codegen.shapes import Shape, Shapes, refuse_circle
from tools.codegen.unions import Tags
from tools.json_types import is_json_object

# Names that the modules of models import, or the library; a schema of such a name gets a suffix.
RESERVED = frozenset(
    {
        *("Annotated", "Any", "ClassVar", "ConfigDict", "Dict", "Field", "Literal", "Timestamp"),
        *("TypeAliasType", "UUID", "AnswerModel", "FreeKeys", "IntEnum", "Model", "RequestModel"),
        *("OpenUnion", "SendsConstants", "StrEnum", "Enum"),
    }
)

# Words of a pointer that say nothing of what it points to.
_SILENT = frozenset(
    {
        *("components", "schemas", "properties", "$defs", "definitions", "content", "schema"),
        *("responses", "parameters", "paths", "allOf", "oneOf", "anyOf", "requestBody"),
    }
)


@dataclass
class Schemas:
    """The schemas of a document, prepared.

    Attributes:
        made: Schema of each class and alias by its Python name.
        nodes: Where in the spec each of them stands, by its Python name.
        sent: Python names of those that requests hold.
        received: Python names of those that answers hold.
        types: Schema of each type that an endpoint needs, by the operations' keys.
        refused: Why schemas cannot be compiled, by their Python names.
    """

    made: JSON = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    types: JSON = field(default_factory=dict)
    refused: dict[str, SpecError] = field(default_factory=dict)


def prepare_schemas(document: Document, operations: Operations) -> Schemas:
    """Prepare all schemas of a document, and those of its operations.

    Operations that need a schema which cannot be compiled are moved to those that are refused;
    other schemas that need such a one are left out.
    """
    registry = Registry(document)
    schemas = registry.schemas
    refused: dict[str, SpecError] = {}
    for key, use in operations.uses.items():
        try:
            schemas.types[key] = registry.expression(use.schema, use.name) if use.schema else {}
        except SpecError as error:
            refused[key] = error
    registry.finish()
    _refuse(schemas, operations, refused)
    for sent, found in ((True, schemas.sent), (False, schemas.received)):
        keys = [key for key, use in operations.uses.items() if use.sent is sent]
        found |= directions.reachable(schemas.made, [schemas.types[key] for key in keys])
    if document.is_json_schema:
        schemas.sent |= schemas.made.keys()
    for name, schema in schemas.made.items():
        for part in (schema, *schema.get("allOf", ())):
            directions.ask_for_what_goes_this_way(
                part, name in schemas.sent, name in schemas.received
            )
            drop_wrong_defaults(part, schemas.made)
    alone = schemas.received - directions.members_of_unions(schemas.made.values())
    directions.open_constants(schemas.made[name] for name in alone - schemas.sent)
    directions.open_constants(
        schemas.types[key] for key, use in operations.uses.items() if not use.sent
    )
    directions.open_unions(
        schemas.made,
        alone,
        schemas.sent,
        lambda name: registry.name(name, f"{name}/otherwise"),
    )
    return schemas


def _refuse(schemas: Schemas, operations: Operations, refused: dict[str, SpecError]) -> None:
    """Take out what cannot be compiled, and what needs it."""
    kept: list[Operation] = []
    for operation in operations.operations:
        keys = [key for key in operation.type_keys() if key]
        known = [schemas.types[key] for key in keys if key not in refused]
        found = directions.reachable(schemas.made, known) if schemas.refused else set[str]()
        errors = [refused[key] for key in keys if key in refused]
        errors += [error for name, error in schemas.refused.items() if name in found]
        if errors:
            operations.refused[operation.file] = errors[0]
            for key in keys:
                operations.uses.pop(key, None)
                schemas.types.pop(key, None)
        else:
            kept.append(operation)
    operations.operations[:] = kept
    if schemas.refused:
        useless = [
            name
            for name, schema in schemas.made.items()
            if schemas.refused.keys() & {name, *directions.reachable(schemas.made, [schema])}
        ]
        for name in useless:
            del schemas.made[name]


class Registry:
    """Names of schemas, each of which is prepared once."""

    def __init__(self, document: Document) -> None:
        self.schemas = Schemas()
        self.shapes = Shapes()
        self._tags = Tags(self.shapes)
        self._types = Types(self, self.shapes, self._tags)
        self._modules = Names()
        # Python names by the schemas' places.
        self._names: dict[str, str] = {}
        self._newtypes: set[str] = set()
        # Components that have no shape, by their places.
        self._shapeless: dict[str, SpecError] = {}
        components = document.schemas()
        shapes: dict[str, Shape] = {}
        for index, (name, node) in enumerate(components):
            python_name = self.name(name, node.place)
            value = node.value
            if is_json_object(value) and value.keys() == {"$ref"} and str(value["$ref"])[0] != "#":
                # What another file has goes by the name that it has here.
                with contextlib.suppress(SpecError):
                    target = node.followed()
                    self._names[target.place] = python_name
                    components[index] = name, target
        for _, node in components:
            try:
                refuse_circle(node)
                shapes[node.place] = shape = self.shapes.of(node)
                if shape.is_newtype:
                    self._newtypes.add(node.place)
            except SpecError as error:
                self._shapeless[node.place] = error
        self.schemas.made |= self._tags.find_children(components, self._names, self.name)
        for _, node in components:
            python_name = self._names[node.place]
            if node.place in self._shapeless:
                self.schemas.nodes[python_name] = node
                self.schemas.made[python_name] = {}
                self.schemas.refused[python_name] = self._shapeless[node.place]
            elif node.place not in self._newtypes:
                self.make(python_name, shapes[node.place])

    def finish(self) -> None:
        """Do what can be done only when all is known."""
        self._tags.tell_members(self.schemas.made)
        settle_bases(self.schemas.made)

    def expression(self, node: Node, name: str) -> JSON:
        """Prepare a schema that stands inside another, or in an operation.

        Args:
            node: The schema.
            name: What its class is called, if it needs one of its own.

        Raises:
            SpecError: It cannot be compiled.
        """
        if node.place in self._names:
            return self._types.reference(self._names[node.place], self.shapes.of(node))
        return self.express(self.shapes.of(node), node.place, name)

    def express(self, shape: Shape, place: str, name: str) -> JSON:
        """Prepare a shape that stands inside another schema."""
        if shape.is_class and place in self._names:
            return self._types.reference(self._names[place], shape)
        if not shape.is_class:
            return self._types.of(shape, name)
        python_name = self.name(name, place)
        self.make(python_name, shape)
        return self._types.reference(python_name, shape)

    def resolve(self, node: Node) -> tuple[str, Node]:
        """Return the Python name of what a reference leads to, empty for a newtype, and its place.

        Raises:
            SpecError: It leads nowhere.
        """
        target = node.document.resolve(node.value["$ref"], node.place)
        if target.place in self._shapeless:
            raise self._shapeless[target.place]
        if target.place in self._newtypes:
            return "", target
        if target.place not in self._names:
            shape = self.shapes.of(target)
            if not shape.is_class:
                return "", target
            words = [str(part) for part in target.path if part not in _SILENT]
            words = [word for word in words if "/" not in word[1:]]
            # A file of one schema goes by its name.
            name = "".join(map(pascal_case, words)) or PurePath(target.document.name).stem
            self.make(self.name(name, target.place), shape)
        return self._names[target.place], target

    def is_free(self, name: str) -> bool:
        """Whether no schema is called so yet."""
        return module_of(class_name(name)) not in self._modules

    def name(self, name: str, place: str) -> str:
        """Return the Python name of a schema that has to have one."""
        python_name = class_name(name)
        if python_name in RESERVED:
            python_name += "Model"
        wanted = module_of(python_name)
        module = self._modules.take(wanted, place)
        if module != wanted:
            python_name = f"{python_name.rstrip('_')}_{module.rpartition('_')[2]}"
        self._names[place] = python_name
        return python_name

    def make(self, python_name: str, shape: Shape) -> None:
        """Prepare the schema of a name."""
        self.schemas.nodes[python_name] = shape.node
        # Until it is ready, for what refers to it.
        self.schemas.made[python_name] = {}
        title = shape.node.path[-1] if len(shape.node.path) == 3 else python_name
        try:
            self.schemas.made[python_name] = self._types.component(shape, python_name, str(title))
        except SpecError as error:
            self.schemas.refused[python_name] = error
