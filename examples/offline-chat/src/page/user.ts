import { createContext } from 'react';

/** Who writes in this page. */
export const UserContext = createContext('');
