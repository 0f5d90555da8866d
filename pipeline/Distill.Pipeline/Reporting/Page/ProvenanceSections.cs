namespace Distill.Pipeline.Reporting.Page;

/// <summary>
/// Where every number comes from: what was asked for, the stages with what they read and made, how fast, and on which machine.
/// </summary>
internal static class ProvenanceSections
{
    public static Html Of(RunReport report) => Html.Of($"""
        {Html.If(report.Recipe is not null, () => Recipe(report.Recipe!))}
        {Html.If(report.Stages.Count > 0, () => Stages(report.Stages))}
        {Html.If(report.Throughput.Count > 0, () => Throughput(report.Throughput))}
        {Html.If(report.Machine is not null, () => Machine(report.Machine!))}
        """);

    private static Html Stages(IReadOnlyList<StageReport> stages) => Parts.Section(
        "Stages",
        "Digests name the bytes that were read and made; point at one to see all of it.",
        Parts.Table(["stage", "state", "time", "reason", "read", "made"], stages.Select(Row), "state", "reason", "read", "made"));

    private static Html Throughput(IReadOnlyDictionary<string, double> rates) =>
        Parts.Section("Throughput", "", Parts.Table(["rate", "value"], rates.Select(Rate)));

    private static Html Recipe(RecipeReport recipe) => Parts.Section(
        "Recipe",
        "Values that are not the defaults; below them the whole recipe, with every value that the run used.",
        Html.Of($"""
            {Html.If(recipe.Changed.Count > 0, () => Values(recipe.Changed))}
            <details><summary>The whole recipe</summary><pre>{recipe.Text}</pre></details>
            """));

    private static Html Values(IReadOnlyList<RecipeValue> values) =>
        Parts.Table(["key", "value", "default"], values.Select(Value), "value", "default");

    private static Html Value(RecipeValue value) => Parts.Row(
        Html.Of($"<code>{value.Path}</code>"),
        Html.Of($"<td class=\"words free\">{value.Value}</td>"),
        value.Default is { } usual ? Html.Of($"<td class=\"words free way\">{usual}</td>")
            : Html.Of($"<td class=\"words way\">required</td>"));

    private static Html Machine(MachineReport machine) => Parts.Section(
        "Machine and versions", "Results are equal from run to run on one machine; another processor may round differently.",
        Parts.Table(["what", "found"],
        [
            Fact("processor", machine.Processor),
            Fact("logical cores", ReportNumbers.Count(machine.Cores)),
            Fact("memory", ReportNumbers.Bytes(machine.MemoryBytes)),
            Fact("system", machine.System),
            .. machine.Versions.Select(version => Fact(version.Key, version.Value)),
        ], "found"));

    private static Html Fact(string name, string value) => Parts.Row(Html.Of($"{name}"), Html.Of($"<td class=\"words free\">{value}</td>"));

    private static Html Rate(KeyValuePair<string, double> rate) =>
        Parts.Row(Html.Of($"{ReportNumbers.Words(rate.Key)}"), Parts.Cell(ReportNumbers.Short(rate.Value)));

    private static Html Row(StageReport stage) => Parts.Row(
        Html.Of($"{stage.Name}"),
        Html.Of($"<td class=\"words\"><span class=\"pill {Class(stage.State)}\">{Word(stage.State)}</span></td>"),
        stage.Seconds is { } seconds ? Parts.Cell(ReportNumbers.Time(stage, seconds)) : Parts.Absent,
        Html.Of($"<td class=\"words reason\">{stage.Reason}</td>"),
        Digests(stage.Inputs),
        Digests(stage.Outputs));

    private static Html Digests(IReadOnlyDictionary<string, string> digests) => Html.Of($"""
        <td class="words">{digests.Select(digest => Html.Of($"<div class=\"digest\">{digest.Key} {Parts.Digest(digest.Value)}</div>"))}</td>
        """);

    private static string Word(StageState state) => state switch
    {
        StageState.Done => "done",
        StageState.Cached => "cached",
        StageState.Skipped => "skipped",
        _ => "failed",
    };

    private static string Class(StageState state) => state switch
    {
        StageState.Done => "good",
        StageState.Failed => "bad",
        _ => "open",
    };
}
