# One image for web, worker and beat. Built from requirements.txt, every file checked by its hash.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN useradd --system --uid 10001 --home-dir /app ims && install -d -o ims -g ims /var/lib/ims

COPY requirements.txt .
RUN python -m pip install --no-deps --require-hashes --requirement requirements.txt

COPY manage.py gunicorn.conf.py ./
COPY ims_portal ims_portal
COPY invoices invoices
COPY returns returns
COPY templates templates
COPY static static
COPY locale locale
# What the interface for programs is: its page and its address for programs read this.
COPY docs/openapi.yaml docs/openapi.yaml
# These values serve this one step and are not kept: nothing is connected to and nothing is signed.
RUN DATABASE_URL=postgresql://build/build REDIS_URL=redis://build SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    IMS_FILES=/tmp IMS_STATIC_ROOT=/app/staticfiles python manage.py collectstatic --noinput

USER ims
EXPOSE 8000
CMD ["gunicorn", "ims_portal.wsgi", "--bind=0.0.0.0:8000", "--workers=2", "--worker-class=gthread", "--threads=4", "--preload", "--worker-tmp-dir=/dev/shm", "--no-control-socket"]
