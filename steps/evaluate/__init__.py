"""Evaluate: decides whether the new model takes the champion's place.

    metrics.json out of model.tar.gz -> decision;  manifest -> the data are still what was judged;
    registry -> no champion is of a later day

``main`` alone knows the order and the AWS clients. Runs on AWS Lambda, Python 3.11 to 3.13, with nothing but
the runtime's own boto3.
"""
