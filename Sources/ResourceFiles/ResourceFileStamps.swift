// Wingmirror · Apache-2.0

/// What files looked like from outside at some moment: equal as long as nobody has changed, replaced, added or removed one.
///
/// A link counts as what it leads to, so that a mounted ConfigMap changes when its `..data` link is set to another folder.
public struct ResourceFileStamps: Sendable, Hashable {
    /// One file.
    private struct Entry: Hashable {
        let path: String
        /// `nil` for a file that cannot be asked, and for a pipe.
        let stamp: FileStamp?
    }

    private let entries: [Entry]
    /// What could not be found.
    private let problems: [String]

    /// The size of all files together, in octets.
    public var octets: Int {
        entries.reduce(0) { sum, entry in sum.addingReportingOverflow(Int(entry.stamp?.size ?? 0)).partialValue }
    }

    /// Stamps of no files.
    public init() {
        entries = []
        problems = []
    }

    fileprivate init(_ files: [String], problems: [String]) {
        // A pipe changes by being read.
        entries = files.map { path in
            Entry(path: path, stamp: FileStamp(path: path).flatMap { $0.isPipe ? nil : $0 })
        }
        self.problems = problems
    }
}

extension ResourceFileLoader {
    /// What the files that `load` would read look like now; nothing is read of them.
    ///
    /// Taken before `load`, the stamps differ from later ones whenever the files may hold something else than was loaded.
    public func stamps(of paths: [String]) -> ResourceFileStamps {
        var problems: [String] = []
        let found = paths.flatMap { files(at: $0, &problems) }
        return ResourceFileStamps(found, problems: problems)
    }
}
