import { openChat } from '@chatdoc/schema';
import * as Y from 'yjs';

const here = new Y.Doc();
const chat = openChat(here);
const { thread_id } = chat.createThread({ created_by: 'ada', name: 'Release' });
const prompt = { thread_id, sender_id: 'ada', content: 'What is left?', expects: 'answer' } as const;
const { message_id } = chat.send(prompt);
chat.edit({ message_id, author_id: 'ada', content: 'What is left before Friday?' });

const there = new Y.Doc(); // a second machine: it takes a copy, then works offline
Y.applyUpdate(there, Y.encodeStateAsUpdate(here));
const copy = openChat(there);
copy.send({ thread_id, sender_id: 'grace', content: 'The changelog.', reply_to_message_id: message_id });

const answer = chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'laptop' });
const text = answer.openPart(); // an agent streams on the first machine
for (const token of ['Two ', 'tests ', 'and ', 'a ', 'flag.']) text.append(token);
answer.finish({ finish_reason: 'stop' });

Y.applyUpdate(here, Y.encodeStateAsUpdate(there)); // any Yjs provider does these two
Y.applyUpdate(there, Y.encodeStateAsUpdate(here));
for (const message of copy.messages(thread_id)) console.log(`${message.sender_id}: ${message.content}`);
console.log(`equal: ${chat.digest() === copy.digest()}`);
