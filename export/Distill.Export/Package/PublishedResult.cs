using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Distill.Export.Package;

/// <summary>
/// A measured share in the forms that model hubs read: the card's <c>model-index</c> (huggingface/hub-docs, modelcard.md) and, where the
/// problems are a data set of the Hub, a file of <c>.eval_results</c> (huggingface.co/docs/hub/eval-results). Immutable.
/// </summary>
/// <param name="Name">What the problems are called.</param>
/// <param name="DataSet">Their data set on the Hub, <c>owner/name</c>; null for other problems.</param>
/// <param name="Task">The data set's configuration; null: its only one.</param>
/// <param name="Split">E.g. <c>test</c>.</param>
/// <param name="Share">Solved of <paramref name="Count"/>, 0 to 1.</param>
/// <param name="Low">Of the 95 % interval, 0 to 1.</param>
/// <param name="High">Of the 95 % interval, 0 to 1.</param>
/// <param name="Means">How it was measured, in half a sentence.</param>
internal sealed record PublishedResult(
    string Name, string? DataSet, string? Task, string Split, double Share, int Count, double Low, double High, string Means)
{
    internal const string Folder = ".eval_results";

    private static readonly JsonSerializerOptions s_quoting = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// The file under <see cref="Folder"/>; null where the Hub has no place for it: only the test split is a task there, and its name must
    /// be given, for the Hub's words for tasks are not those for configurations.
    /// </summary>
    internal string? FileName => DataSet is null || TaskId is null || Split != "test" ? null
        : $"{FilePart(DataSet.Split('/')[^1])}-{FilePart(TaskId)}.yaml";

    /// <summary>What the data set's own <c>eval.yaml</c> calls the task; null where nobody said.</summary>
    internal string? TaskId { get; init; }

    private string Notes => string.Create(CultureInfo.InvariantCulture, $"{Means}, n = {Count}, 95 % {Percent(Low)}–{Percent(High)}");

    /// <summary>Lines of a card's header; empty without results.</summary>
    internal static string ModelIndex(string model, IReadOnlyList<PublishedResult> results)
    {
        if (results.Count == 0) return "";
        var text = new StringBuilder($"model-index:\n- name: {Quoted(model)}\n  results:\n");
        foreach (var result in results)
        {
            text.Append("  - task:\n      type: text-generation\n    dataset:\n");
            text.Append($"      name: {Quoted(result.Name)}\n      type: {Quoted(result.DataSet ?? "problems")}\n");
            if (result.Task is { } task) text.Append($"      config: {Quoted(task)}\n");
            text.Append($"      split: {Quoted(result.Split)}\n    metrics:\n    - type: accuracy\n      value: {Percent(result.Share)}\n");
            text.Append($"      name: {Quoted(result.Notes)}\n");
        }

        return text.ToString();
    }

    /// <summary>The Hub's own file; its date is that of the commit that brings it.</summary>
    internal string ToYaml() => $"- dataset:\n    id: {Quoted(DataSet!)}\n    task_id: {Quoted(TaskId!)}\n"
        + $"  value: {Percent(Share)}\n  notes: {Quoted(Notes)}\n";

    /// <summary>A YAML scalar that is nothing else, whatever it holds.</summary>
    internal static string Quoted(string text) => JsonSerializer.Serialize(text, s_quoting);

    private static string FilePart(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') ? name
        : throw new InvalidDataException($"'{name}' cannot be in the name of a file of results: letters, digits and - _ . can.");

    private static string Percent(double share) => (100 * share).ToString("0.0#", CultureInfo.InvariantCulture);
}
