# Build: the compiler and everything it needs.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

# Run: no compiler, no embedded PostgreSQL, and the image's own Node instead of the one from npm.
FROM node:24.21.0-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 TRIBUTARY_DATA_DIR=/data
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional && npm cache clean --force && install -d -o node -g node -m 0700 /data
COPY --from=build /app/dist dist
USER node
VOLUME /data
EXPOSE 4000
# Not through npm, which would keep the stop signal to itself.
CMD ["node", "--enable-source-maps", "dist/src/main.js"]
