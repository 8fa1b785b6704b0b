"""Drawing the miniature ImageNet of the default study."""
