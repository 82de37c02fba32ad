/** What a runtime lacks that has the web's interfaces and no others: reasons for vectors that cannot be run there. */

export const WEB_LACKS = {
  files: 'there are no files here',
  programs: 'there are no programs here',
  certificates: "fetch takes no certificates, neither a client's nor an authority's",
};
