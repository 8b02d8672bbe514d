import Failures
import Foundation
import Runs

/// Throws `Failure` 78 where a directory that a model is to be written to has something in it; it may be missing.
func requireEmpty(_ directory: String) throws(Failure) {
    let contents = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    guard contents.isEmpty else {
        throw Failure(.configuration, "is not empty; choose another directory", at: directory)
    }
}
