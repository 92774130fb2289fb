"""The whole pipeline on one machine: real definition, real code, an emulator in the place of AWS."""
