"""What a type checker says of the zoo: each line that it has to refuse names the error."""

from datetime import UTC, datetime
from typing import assert_type
from uuid import UUID

from zoo import models
from zoo.api.animal_care import add_animal, http_move_animal2_cage, list_animals
from zoo.api.photos import get_photo, store_photo
from zoo.models.category import Category
from zoo.models.lion import Lion

from stepflow_api.client import Client
from stepflow_api.types import Response

client = Client(base_url="http://localhost")
lion = models.Lion(name="Leo")
assert_type(lion, Lion)
lion.roar()
models.Lion()  # error: call-arg
models.Lion(name=1)  # error: arg-type
print(lion.tail)  # error: attr-defined
assert_type(lion.kind, str)  # error: assert-type

enclosure = models.Enclosure(animals=[lion, models.Snake()])
for animal in enclosure.animals or []:
    if isinstance(animal, Lion):
        animal.roar()
    else:
        animal.roar()  # error: union-attr

category = models.Category(name="a", children=[Category(name="b")])
for child in category.children or []:
    child.path()
if category.by_name is not None:
    category.by_name["a"].path()
if category.parent is not None:
    category.parent.path()
    category.parent.paths()  # error: attr-defined

assert_type(list_animals.sync(client=client, x_trace_id="t", body_=True), list[models.Animal])
list_animals.sync(client=client, x_trace_id="t")  # error: call-arg
list_animals.sync(client=client, x_trace_id="t", body_=True, limit="many")  # error: arg-type
list_animals.sync(client=client, x_trace_id="t", body_=True, filter=1)
assert_type(
    list_animals.sync_detailed(client=client, x_trace_id="t", body_=True),
    Response[list[models.Animal] | models.Problem | str | None],
)
now = datetime.now(UTC)
models.NewAnimal(animal=lion)  # error: call-arg
newcomer = models.NewAnimal(animal=lion, arrival=now, friend=models.Snake(), position=(1, 2, "x"))
assert_type(newcomer.diet, models.Diet)
assert_type(newcomer.registered, datetime)
assert_type(newcomer.color, models.MaybeColor | None)
assert_type(
    add_animal.sync(client=client, x_trace_id="t", body=newcomer), models.Animal | models.Ticket
)
add_animal.sync(client=client, x_trace_id="t", body=lion)  # error: arg-type
http_move_animal2_cage.sync(UUID(int=1), "cage", [1], client=client)
http_move_animal2_cage.sync("1", "cage", [1], client=client)
http_move_animal2_cage.sync("1", "cage", client=client)  # error: call-arg
assert_type(get_photo.sync(1, client=client), bytes)
store_photo.sync(1, client=client, body=b"")
store_photo.sync(1, client=client, body="")  # error: arg-type


async def main() -> None:
    assert_type(await get_photo.asyncio(1, client=client), bytes)
    assert_type(
        await get_photo.asyncio_detailed(1, client=client), Response[bytes | models.Problem]
    )
    (await get_photo.asyncio(1, client=client)).decode()
    get_photo.asyncio(1, client=client).decode()  # error: attr-defined
