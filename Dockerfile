# One recipe for every service: docker build --build-arg EXTRA=apiserver|controller|kubelet-sim|gateway .
# What the container runs is its command: the module to start, and its arguments.
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
ARG EXTRA
WORKDIR /src
RUN python -m venv /opt/rollplane
ENV PATH=/opt/rollplane/bin:$PATH
# What we depend on changes less often than what we write: a layer of its own.
COPY pyproject.toml constraints.txt ./
RUN python -c 'import sys, tomllib; \
    project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
    print(*project["dependencies"], *project["optional-dependencies"][sys.argv[1]], sep="\n")' "${EXTRA}" > requirements.txt \
    && pip install --no-cache-dir -c constraints.txt -r requirements.txt
COPY . .
RUN pip install --no-cache-dir -c constraints.txt ".[${EXTRA}]"

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/rollplane/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/rollplane /opt/rollplane
USER 10001:10001
ENTRYPOINT ["python", "-m"]
