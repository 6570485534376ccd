/** Whether all wanted tags are there, without regard to case. */
export function hasTags(tags: readonly string[], wanted: readonly string[] | undefined): boolean {
  if (wanted === undefined || wanted.length === 0) return true;
  return wanted.every((tag) => {
    const folded = tag.toLowerCase();
    return tags.some((own) => own.toLowerCase() === folded);
  });
}
