declare module 'fds:*' {
  /** The view box and the path of one icon of the design system. */
  const icon: [box: string, path: string];
  export default icon;
}
