// The first page: only the name needs a script.
import './i18n.js';
import { initName } from './name.js';

initName();
