# The gateway as a container: no build step, no shell tools of ours, nothing written but the audit trail.
FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has the right Node, so the one that is pinned as a package is taken out again.
RUN npm ci --omit=dev && rm -rf node_modules/node-* node_modules/.bin/node

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
COPY config ./config
RUN mkdir -p /app/var && chown node:node /app/var
USER node
# Run it with a read-only root file system; the trail and the keys need a volume of their own.
VOLUME /app/var
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["bin/gatehouse"]
CMD ["start"]
