"""What the node's processes decide, without a kernel, a socket or a clock."""
