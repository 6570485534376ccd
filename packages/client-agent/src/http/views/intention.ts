import { encodeIntention } from '@lictor/mesh';
import type { Intention } from '@lictor/protocol';
import { type LongView, sharedListView } from '../reply/views.ts';

export const intentionsView: LongView<readonly Intention[]> = sharedListView(encodeIntention);
