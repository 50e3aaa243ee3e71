// Wingmirror · Apache-2.0

import Foundation

/// Brings the generated parts of a page up to date: `MetricsPage PATH`, which `make metrics-page` runs.
@main struct MetricsPageCommand {
    static func main() {
        guard CommandLine.arguments.count == 2 else {
            fail("usage: MetricsPage PATH", status: 2)
        }
        let path = CommandLine.arguments[1]
        let file = URL(filePath: path)
        do {
            let page = try String(contentsOf: file, encoding: .utf8)
            let updated = try MetricsPage.updated(page)
            guard updated != page else { return }
            try Data(updated.utf8).write(to: file, options: .atomic)
        } catch {
            fail("\(path): \(error)", status: 1)
        }
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data("MetricsPage: \(message)\n".utf8))
        exit(status)
    }
}
