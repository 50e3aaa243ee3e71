// Wingmirror · Apache-2.0

import Foundation
import Testing

@testable import MetricsPage

@Suite struct MetricsPageTests {
    private var page: String {
        get throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
            let file = root.appending(path: "Sources/AgentCommands/Documentation.docc/Metrics.md")
            return try String(contentsOf: file, encoding: .utf8)
        }
    }

    @Test func `the tables on the page are those of the catalogue; make metrics-page writes them`() throws {
        let page = try page
        #expect(try MetricsPage.updated(page) == page)
    }

    @Test func `what has drifted is written again, and the rest left as it is`() throws {
        let page = try page
        let drifted = page.replacing("| `wingmirror_route_info` | info |", with: "| `wingmirror_route_info` | gauge |")
        #expect(drifted != page)
        #expect(try MetricsPage.updated(drifted) == page)
        let extended = page + "\nA sentence of somebody's own.\n"
        #expect(try MetricsPage.updated(extended) == extended)
    }

    @Test func `a page without a place for a table is refused`() throws {
        let page = try page.replacing("<!-- generated: routes -->", with: "")
        #expect(throws: MetricsPage.Problem.self) { try MetricsPage.updated(page) }
    }

    @Test func `no list of values has one twice`() {
        for entry in LabelValues.all {
            let values = entry.text.split(separator: ";")[0].matches(of: /`([^`]*)`/).map { String($0.output.1) }
            #expect(Set(values).count == values.count, "\(entry.label) of \(entry.place)")
            #expect(!values.isEmpty)
        }
    }
}
