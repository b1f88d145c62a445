// The first page: only the name needs a script.
import '../js/i18n.js';
import { initName } from '../js/name.js';

initName();
