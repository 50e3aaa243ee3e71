// Wingmirror · Apache-2.0

import Foundation

/// The files of the repository that people read.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../..").standardizedFileURL

    /// The DocC catalogue, in whichever target it is.
    static let documentation: URL = {
        let sources = root.appending(path: "Sources")
        let targets = (try? FileManager.default.contentsOfDirectory(atPath: sources.path)) ?? []
        let catalogues = targets.sorted().map { sources.appending(path: "\($0)/Documentation.docc") }
        return catalogues.first { FileManager.default.fileExists(atPath: $0.path) } ?? sources
    }()

    /// Paths from the top of the repository of all Markdown pages, without those of fixtures and of build products.
    static let pages: [String] = {
        let top = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        let nested = ["Sources", "dashboards", "samples"].flatMap { folder in
            FileManager.default.enumerator(atPath: root.appending(path: folder).path)?
                .compactMap { $0 as? String }.map { "\(folder)/\($0)" } ?? []
        }
        return (top + nested).filter { $0.hasSuffix(".md") }.sorted()
    }()

    /// The pages of the catalogue, which DocC reads too.
    static var documentationPages: [String] {
        let folder = String(documentation.path.dropFirst(root.path.count)).trimmingPrefix("/")
        return pages.filter { $0.hasPrefix(folder) }
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
