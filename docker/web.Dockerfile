# The web process: pages, API, admin. No torch in here.
#   docker build -f docker/web.Dockerfile -t toonemo-web .
FROM python:3.11-slim-bookworm AS packages
COPY requirements/uv.txt requirements/web.txt /build/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/uv.txt \
 && uv venv -q /opt/venv \
 && uv pip sync -q --no-cache --require-hashes --compile-bytecode --python /opt/venv/bin/python /build/web.txt

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
COPY ml/*.py ml/
COPY templates templates
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=toonemo_site.settings.production \
    MEDIA_ROOT=/srv/media \
    TOONEMO_VAR=/srv/var \
    STATIC_ROOT=/srv/static
# The values are for this one step; none of them stays in the image.
RUN SECRET_KEY=build ALLOWED_HOSTS=build DATABASE_URL=postgres://build/build REDIS_URL=redis://build \
    python manage.py collectstatic --noinput -v 0
USER toonemo
EXPOSE 8000
VOLUME /srv/media
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["gunicorn", "toonemo_site.wsgi", "--bind", "0.0.0.0:8000", "--threads", "8", "--worker-tmp-dir", "/dev/shm"]
