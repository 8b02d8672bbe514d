package import Foundation

extension URL {
    /// A file by its path as it is given: `URL(fileURLWithPath:)` would put the home folder in the place of a leading
    /// `~`.
    package init(literalPath path: String) {
        self.init(fileURLWithPath: path.hasPrefix("~") ? "./" + path : path)
    }
}
