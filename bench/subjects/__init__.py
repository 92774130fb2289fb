"""What is measured: each module is a process of its own, in the environment that has its tool."""
