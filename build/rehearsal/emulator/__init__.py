"""An AWS emulator on loopback: MiniStack and what it lacks, running each step's code as a real process."""
