"""The petstore, from its OpenAPI spec."""
