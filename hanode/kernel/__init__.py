"""What the vrrp process puts into the kernel, opens on it, and believes of what it says.

PURE. `hanode.proc.vrrp` gives these machines the kernel's messages and the time, and carries out
the operations that they return.
"""
