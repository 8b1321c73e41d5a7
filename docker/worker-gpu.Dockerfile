# A worker for one NVIDIA GPU; the driver comes from the host (NVIDIA Container Toolkit). Without a GPU it says so and fails.
#   docker build -f docker/worker-gpu.Dockerfile -t toonemo-worker-gpu .
FROM python:3.11-slim-bookworm AS packages
COPY requirements/uv.txt requirements/worker.txt /build/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/uv.txt \
 && uv venv -q /opt/venv \
 && uv pip sync -q --no-cache --require-hashes --python /opt/venv/bin/python /build/worker.txt

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin toonemo \
 && install -d -o toonemo -g toonemo /srv/media /srv/var
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/toonemo
COPY manage.py ./
COPY toonemo_site toonemo_site
COPY catalog catalog
COPY analysis analysis
COPY workers workers
COPY ml ml
COPY templates templates
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=toonemo_site.settings.production \
    MEDIA_ROOT=/srv/media \
    TOONEMO_VAR=/srv/var \
    TOONEMO_DEVICE=cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER toonemo
VOLUME /srv/media
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s \
    CMD celery -A toonemo_site inspect ping -d "celery@$HOSTNAME" -t 15
# One process: the models are loaded once, in the first task. A SIGTERM hands the segment back within seconds.
CMD ["celery", "-A", "toonemo_site", "worker", "--queues", "inference", "--concurrency", "1"]
