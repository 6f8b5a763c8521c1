"""The package that the compiler made for another repository's spec."""

from petstore.api.pets import get_pet
from petstore.models import Pet

if __name__ == "__main__":
    pet = Pet.model_validate({"id": 1, "name": "Rex"})
    assert pet.name == "Rex"
    assert callable(get_pet.sync)
