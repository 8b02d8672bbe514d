import Runs
import StrictYAML

/// The key tables of `docs/clusters.md`, made from the declarations; a test compares the file's end with this.
package func clusterReference() -> String {
    var top = SectionReader(path: "", node: nil)
    _ = Cluster(&top, file: "")
    return referenceTables(top)
}
