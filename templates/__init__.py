"""CloudFormation from a typed configuration: ``config -> parts -> template``."""
