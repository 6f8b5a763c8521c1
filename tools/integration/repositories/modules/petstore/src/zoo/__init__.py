"""The petstore once more, under another name."""
