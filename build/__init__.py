"""Acts on containers and on AWS: package, image, plan, deploy, status; and rehearses all of it."""
