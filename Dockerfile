# The gateway as an image: only the console's page is built, no shell at run time, nothing written but below
# /var/lib/gatehouse.
#
#   docker build -t gatehouse .
#   docker run --rm gatehouse demo
#   docker run -v /srv/gatehouse:/etc/gatehouse:ro -v gatehouse:/var/lib/gatehouse -p 8443:8443 \
#     --read-only --cap-drop ALL --security-opt no-new-privileges --ulimit core=0 --tmpfs /tmp gatehouse
#
# The base is named by tag, because a digest belongs to a registry and a day, and none is vouched for here. Pin it:
#   docker buildx imagetools inspect node:26-slim
#   docker build --build-arg NODE_IMAGE=node:26-slim@sha256:<the digest shown> -t gatehouse .
ARG NODE_IMAGE=node:26-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has the right Node, so the one that is pinned as a package is taken out again.
RUN npm ci --omit=dev && rm -rf node_modules/node-* node_modules/.bin/node

FROM ${NODE_IMAGE} AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY deploy/console.ts ./deploy/console.ts
COPY src/console ./src/console
RUN node deploy/console.ts

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Gatehouse" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    GATEHOUSE_CONFIG=/etc/gatehouse/gatehouse.yaml
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
# Of the page what was built.
RUN rm -rf src/console/web
COPY --from=page /app/src/console/web/dist ./src/console/web/dist
COPY config ./config
# A new volume takes owner and mode from here.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/gatehouse && install -d /etc/gatehouse
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
VOLUME /var/lib/gatehouse
EXPOSE 8443 9090
# On the loopback address and the default port of the administrative listener; Kubernetes asks by its own probes.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# SIGTERM lets running calls end; give it time (--stop-timeout 240). SIGUSR1 would open Node's debugger.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--disable-sigusr1", "src/main.ts"]
CMD ["start"]
