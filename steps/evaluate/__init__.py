"""Evaluate: decides whether the new model takes the champion's place.

    metrics.json out of model.tar.gz -> decision;  manifest -> the data are still what was judged

``main`` alone knows the order and the AWS client. Runs on AWS Lambda, Python 3.11 to 3.13, with nothing but
the runtime's own boto3.
"""
