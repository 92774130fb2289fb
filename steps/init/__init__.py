"""Init: turns a trigger into a run.

    event -> trigger -> claim -> manifest -> plan    (compared with: baseline, champion)

``main`` alone knows the order and the AWS clients; every other module takes values or a ``Bucket`` and
returns values. Runs on AWS Lambda, Python 3.11 to 3.13, with nothing but the runtime's own boto3.
"""
