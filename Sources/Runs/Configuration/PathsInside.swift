import Failures
import Foundation

/// Whether a path is a directory or lies inside it, or would if it were made: by whatever links and names the two are
/// given.
func isInside(_ path: String, _ directory: String) -> Bool {
    let outer = resolved(directory)
    let location = identity(of: outer)
    var inner = resolved(path)
    while true {
        // The same folder may be mounted in two places.
        if inner == outer || (location != nil && identity(of: inner) == location) { return true }
        guard inner != "/" else { return false }
        inner = parent(of: inner)
    }
}

/// Whether two paths lead to one file.
package func isSameFile(_ a: String, _ b: String) -> Bool { identity(of: a).map { $0 == identity(of: b) } ?? false }

/// The absolute path without links, of what is there and of what is to be made below.
private func resolved(_ path: String) -> String {
    var location = path.hasPrefix("/") ? "/" : FileManager.default.currentDirectoryPath
    for part in path.split(separator: "/") where part != "." {
        if part == ".." {
            location = parent(of: location)
        } else {
            let next = location == "/" ? "/\(part)" : "\(location)/\(part)"
            location = URL(literalPath: next).resolvingSymlinksInPath().path
        }
    }
    return location
}

private func parent(of path: String) -> String {
    let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    return parent.isEmpty ? "/" : String(parent)
}

/// What tells a file or folder from all others; nil where there is none.
private func identity(of path: String) -> [UInt64]? {
    var found = stat()
    guard unsafe stat(path, &found) == 0 else { return nil }
    return [UInt64(found.st_dev), UInt64(found.st_ino)]
}

extension Configuration {
    /// Warnings of values that a shell would expand: here `~` is a name like any other.
    var literalTildes: [String] {
        values.filter { $0.value.hasPrefix("\"~/") }.keys.sorted().map { key in
            "warning: \(key): ~ is not expanded, it is a folder of that name; write the full path"
        }
    }
}
