# The public door: nginx with the pages inside.
ARG BASE=nginx:1.28-alpine
FROM ${BASE}
USER root
RUN command -v nginx >/dev/null \
    || { apt-get update && apt-get install -y --no-install-recommends nginx-light wget && rm -rf /var/lib/apt/lists/*; }
LABEL org.opencontainers.image.title="service-desk-gateway" \
      org.opencontainers.image.description="Service Desk of the Hajj and Pilgrimage Organization: gateway and pages"
COPY gateway/nginx/nginx.conf /etc/nginx/nginx.conf
COPY gateway/web /usr/share/desk/web
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"]
ENTRYPOINT ["nginx", "-g", "daemon off;"]
CMD []
