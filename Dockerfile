# The validator: Python, its dependencies, validator/ and nothing else.
#   docker build --platform linux/amd64 --tag validator .
#   docker run --rm --read-only --tmpfs /tmp validator validate --help
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
# A hash for each file and no resolution: what is locked is what is installed. Compiled, since nothing can be
# written where it runs. `python3` and not `python`: bases of a distribution have only the former.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements.txt /build/
RUN python3 -m venv /build/venv \
 && /build/venv/bin/python -m pip install --no-deps --require-hashes --only-binary :all: --no-compile \
    --target /opt/site-packages --requirement /build/requirements.txt \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/site-packages
COPY validator /opt/sluice/validator
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/sluice/validator

FROM ${BASE}
# `python` wherever the base has `python3` alone; pip has no business in a container that runs. Fargate mounts a
# volume at /tmp over the read-only root, which takes its owner and mode from here.
RUN if ! command -v python; then ln -s "$(command -v python3)" /usr/local/bin/python; fi \
 && rm -rf /usr/local/lib/python3.*/site-packages/pip* /usr/local/lib/python3.*/ensurepip \
    /usr/local/bin/pip* \
 && groupadd --gid 10001 validator \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin validator \
 && mkdir -p /tmp && chown 10001:10001 /tmp && chmod 1777 /tmp
COPY --from=build /opt /opt
# One BLAS thread: more of them cost more than the whole profile.
ENV PYTHONPATH=/opt/site-packages:/opt/sluice \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPENBLAS_NUM_THREADS=1 \
    HOME=/tmp
WORKDIR /opt/sluice
USER 10001:10001
VOLUME /tmp
# Exec form: the validator is PID 1 and gets SIGTERM itself.
ENTRYPOINT ["python", "-m", "validator"]
CMD ["validate"]
