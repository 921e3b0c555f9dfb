import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/dashboard.css';
import './styles/panels.css';
import './styles/pages.css';

const root = document.getElementById('root');
if (root === null) throw new Error('BUG: the page has no #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
