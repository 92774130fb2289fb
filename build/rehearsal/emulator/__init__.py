"""An AWS emulator on loopback: MiniStack and the pieces it lacks, running each step's code as a real process."""
