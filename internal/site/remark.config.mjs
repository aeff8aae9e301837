import validateLinks from 'remark-validate-links'

/** How the links between the Markdown files of the repository are checked, with their headings. */
export default { plugins: [[validateLinks, { repository: false, root: '../..' }]] }
