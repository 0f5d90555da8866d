using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Store;

namespace Distill.Service.Pages.Runs;

/// <summary>What the model of a run was made from, down to its problems and to the models that its recipe brought along.</summary>
internal static class LineagePage
{
    public static PageFrame Of(ShownRun run, Lineage lineage, Func<string, string?> addressOf)
    {
        var shown = new HashSet<string>(StringComparer.Ordinal);
        return new($"lineage of {run.Name}", ServicePaths.Runs, Html.Of($"What {run.Name} was made from"), Html.Of($"""
            {lineage.Notes.Select(note => Html.Of($"<p class=\"remark\">{note}</p>"))}
            <section><ul class="tree">{lineage.Roots.Select(root => Node(root, ""))}</ul></section>
            """))
        {
            Eyebrow = Html.Of($"<p class=\"eyebrow\"><a href=\"{ServicePaths.Run(run.Name)}\">run {run.Name}</a></p>"),
        };

        Html Node(LineageNode node, string role)
        {
            bool isRepeated = node.Digest.Length > 0 && !shown.Add(node.Digest);
            var below = isRepeated ? [] : node.Inputs.Where(input => lineage.Nodes.ContainsKey(input.Value))
                .Select(input => Node(lineage.Nodes[input.Value], input.Key)).ToList();
            return Html.Of($"""
                <li>{Name(node)}{Html.If(role.Length > 0 && role != node.Name, () => Html.Of($" <small>as {role}</small>"))}
                {Html.If(node.Digest.Length > 0, () => Parts.Digest(node.Digest))}
                <small>{(isRepeated && node.Inputs.Count > 0 ? "as above" : Described(node))}</small>
                {Html.If(below.Count > 0, () => Html.Of($"<ul>{below}</ul>"))}</li>

                """);
        }

        Html Name(LineageNode node) => addressOf(node.Digest) is { } address
            ? PageWords.Link(address, node.Name) : Html.Of($"<b>{node.Name}</b>");
    }

    private static string Described(LineageNode node) => node.State switch
    {
        LineageState.Finished => node.Summary,
        LineageState.Damaged => $"damaged; {node.Summary}",
        LineageState.Removed => "removed from the store, or of another run",
        _ => node.Folder ?? "from outside",
    };
}
