# A mail catcher from Debian's packages, for the sovereign build: shows every email at port 8025 and sends none.
ARG BASE=debian:trixie-slim
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends python3-aiosmtpd && rm -rf /var/lib/apt/lists/*
COPY deploy/mail/catcher.py /catcher.py
USER 65534:65534
EXPOSE 1025 8025
# Python as the first process ignores SIGTERM; SIGINT ends it.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=5 \
  CMD ["python3", "-ISc", "import urllib.request as u; u.urlopen('http://127.0.0.1:8025/', timeout=4)"]
CMD ["python3", "/catcher.py"]
