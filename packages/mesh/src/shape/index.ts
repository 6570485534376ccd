export { commonFields } from './common-fields.ts';
export {
  duration,
  flag,
  float,
  int,
  kept,
  listOf,
  mapOf,
  nanoseconds,
  nullPointer,
  type OptionalShape,
  opaque,
  pointer,
  type Shape,
  type ShapeFields,
  struct,
  text,
} from './shape.ts';
