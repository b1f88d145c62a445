import { t } from './i18n.js';

export const room = t('room');
