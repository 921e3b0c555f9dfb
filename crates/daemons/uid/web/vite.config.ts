/// <reference types="vitest/config" />
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const daemon = 'http://127.0.0.1:3000';
const proxied = ['/api', '/login', '/logout'];

export default defineConfig({
  // Asset addresses stay relative: the daemon rewrites `<base href>` when it is served under a sub-path.
  base: './',
  plugins: [react()],
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    target: 'es2022',
    chunkSizeWarningLimit: 400,
  },
  server: {
    proxy: Object.fromEntries(
      proxied.map((path) => [
        path,
        {
          target: daemon,
          // A browser that opens the login page wants the app, not the daemon's answer.
          bypass: (request: { method?: string; url?: string }) =>
            request.method === 'GET' && request.url?.startsWith('/login') === true ? '/index.html' : undefined,
        },
      ]),
    ),
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['test/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
  },
});
