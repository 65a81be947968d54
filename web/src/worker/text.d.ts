// A file of text, as the build puts it into a module.
declare module "*.txt?raw" {
  const text: string;
  export default text;
}
