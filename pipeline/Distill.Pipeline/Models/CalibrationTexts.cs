using System.Text.Json;
using Distill.Data.Traces;
using Distill.Export.Parity;
using Distill.Pipeline.Stages.Data;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Models;

/// <summary>
/// Texts that codes are chosen over, and that what they cost is measured on: what the model will read and write. A text is a whole chat or
/// plain words; what is measured of a chat is its last reply.
/// </summary>
internal static class CalibrationTexts
{
    private const int MostTexts = 4096;

    private const long MostBytes = 256 << 20;

    /// <param name="place">
    /// JSON lines (<c>text</c>; <c>prompt</c> and <c>completion</c>; <c>question</c> and <c>answer</c>; <c>messages</c>; or strings), plain
    /// text with empty lines between texts, or a run, folder or file of traces.
    /// </param>
    /// <param name="positions">Tokens that the model reads.</param>
    /// <exception cref="InvalidDataException">Nothing is there, or nothing that is a text; says where.</exception>
    public static IReadOnlyList<MeasuredText> Read(string place, ChatEncoder encoder, int positions)
    {
        var texts = IsText(place) ? OfFile(place, encoder) : OfTraces(place, encoder);
        MeasuredText[] fitting =
            [.. texts.Take(MostTexts).Select(text => Cut(text, Math.Min(MeasuredText.Longest, positions))).OfType<MeasuredText>()];
        return fitting.Length > 0 ? fitting : throw new InvalidDataException($"'{place}' holds no text of at least two tokens.");
    }

    /// <summary>Curated traces that were kept, in an order that does not depend on which file they lie in.</summary>
    /// <param name="files">Of graded traces.</param>
    /// <param name="most">Texts at most.</param>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static IReadOnlyList<MeasuredText> OfKept(IEnumerable<string> files, ChatEncoder encoder, int positions, int most)
    {
        var kept = files.SelectMany(TraceFile.ReadGradedTexts).Where(graded => graded.Keep).Select(graded => graded.Trace)
            .OrderBy(trace => trace.Problem.Id, StringComparer.Ordinal).ThenBy(trace => trace.SampleIndex).ThenBy(trace => trace.Seed);
        MeasuredText[] texts = [.. kept.Select(trace => Cut(OfTrace(trace, encoder), Math.Min(MeasuredText.Longest, positions)))
            .OfType<MeasuredText>().Take(most)];
        return texts.Length > 0 ? texts : throw new InvalidDataException("No curated trace is left to calibrate over.");
    }

    /// <summary>
    /// Texts to choose codes on, and the last ones to measure on. Those of one prompt lie on one side: a second answer to what was
    /// calibrated over would flatter.
    /// </summary>
    /// <param name="samples">Texts to choose on at most.</param>
    /// <param name="held">Texts to measure on, about; more only where the last prompt alone has more.</param>
    /// <returns>None to measure on where all are of one prompt, or <paramref name="held"/> is 0.</returns>
    public static (IReadOnlyList<MeasuredText> Chosen, IReadOnlyList<MeasuredText> Held) Part(
        IReadOnlyList<MeasuredText> texts, int samples, int held)
    {
        var prompts = texts.GroupBy(PromptOf, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count());
        var apart = new HashSet<string>(StringComparer.Ordinal);
        int count = 0;
        foreach (string prompt in texts.Reverse().Select(PromptOf).Distinct(StringComparer.Ordinal).SkipLast(1))
        {
            if (count >= held || (count > 0 && count + prompts[prompt] > held)) break;
            apart.Add(prompt);
            count += prompts[prompt];
        }

        return ([.. texts.Where(text => !apart.Contains(PromptOf(text))).Take(samples)],
            [.. texts.Where(text => apart.Contains(PromptOf(text)))]);
    }

    // Plain words are their own prompt.
    private static string PromptOf(MeasuredText text) =>
        string.Join(' ', text.First > 1 ? text.Tokens.Take(text.First) : text.Tokens);

    /// <summary>The beginning of a text; null where nothing of it would be measured.</summary>
    public static MeasuredText? Cut(MeasuredText text, int longest)
    {
        var tokens = text.Tokens.Take(longest).ToArray();
        return tokens.Length > Math.Max(1, text.First) ? text with { Tokens = tokens } : null;
    }

    private static bool IsText(string place) =>
        File.Exists(place) && Path.GetExtension(place).ToUpperInvariant() is ".JSONL" or ".JSON" or ".NDJSON" or ".TXT" or ".MD";

    private static IEnumerable<MeasuredText> OfTraces(string place, ChatEncoder encoder) =>
        GivenTraces.Read(place).Where(trace => trace.Answer is { Length: > 0 }).Select(trace => OfTrace(trace, encoder));

    private static MeasuredText OfTrace(Trace trace, ChatEncoder encoder) =>
        Chat(encoder, ProblemPrompt.Messages(trace.Problem), encoder.MarksThinking ? trace.Reasoning : "", trace.Answer ?? "");

    private static IEnumerable<MeasuredText> OfFile(string file, ChatEncoder encoder)
    {
        if (new FileInfo(file).Length > MostBytes)
            throw new InvalidDataException($"'{file}' is larger than {MostBytes >> 20} MB; a few hundred texts are enough.");
        return Path.GetExtension(file).ToUpperInvariant() is ".TXT" or ".MD"
            ? Paragraphs(File.ReadLines(file)).Select(text => new MeasuredText(encoder.Tokenizer.Encode(text)))
            : File.ReadLines(file).Select((line, index) => (line, index)).Where(pair => !string.IsNullOrWhiteSpace(pair.line))
                .Select(pair => OfLine(pair.line, encoder, $"'{file}', line {pair.index + 1}"));
    }

    private static MeasuredText OfLine(string line, ChatEncoder encoder, string where)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return Of(document.RootElement, encoder) ?? throw new InvalidDataException(
                $"{where} is no text: it needs text, prompt and completion, question and answer, or messages that end with a reply.");
        }
        catch (JsonException wrong)
        {
            throw new InvalidDataException($"{where} is no JSON: {wrong.Message}", wrong);
        }
    }

    private static MeasuredText? Of(JsonElement row, ChatEncoder encoder)
    {
        if (row.ValueKind == JsonValueKind.String) return new(encoder.Tokenizer.Encode(row.GetString()!));
        if (row.ValueKind != JsonValueKind.Object) return null;
        if (Word(row, "text") is { } text) return new(encoder.Tokenizer.Encode(text));
        foreach (var (asked, answered) in ((string, string)[])[("prompt", "completion"), ("question", "answer")])
        {
            if (Word(row, asked) is { } question && Word(row, answered) is { } answer)
                return Chat(encoder, [ChatMessage.User(question)], "", answer);
        }

        return row.TryGetProperty("messages", out var messages) && messages.ValueKind == JsonValueKind.Array
            ? Of([.. messages.EnumerateArray()], encoder) : null;
    }

    private static MeasuredText? Of(ChatEncoder encoder, List<ChatMessage> turns) =>
        turns is [.., { Role: "assistant" } reply] && turns.Count > 1 ? Chat(encoder, turns[..^1], "", reply.Content) : null;

    private static MeasuredText? Of(JsonElement[] messages, ChatEncoder encoder)
    {
        var turns = new List<ChatMessage>();
        foreach (var message in messages)
        {
            if (message.ValueKind != JsonValueKind.Object || Word(message, "content") is not { } content) return null;
            ChatMessage? turn = Word(message, "role") switch
            {
                "system" => ChatMessage.System(content), "user" => ChatMessage.User(content), "assistant" => ChatMessage.Assistant(content),
                _ => null,
            };
            if (turn is null) return null;
            turns.Add(turn);
        }

        return Of(encoder, turns);
    }

    // A checkpoint without a template has never seen a chat.
    private static MeasuredText Chat(ChatEncoder encoder, IReadOnlyList<ChatMessage> messages, string reasoning, string answer)
    {
        if (!encoder.HasTemplate) return new(encoder.Tokenizer.Encode($"{messages[^1].Content}\n{answer}"));
        var example = reasoning.Length > 0 ? encoder.EncodeExample(messages, reasoning, answer) : encoder.EncodeExample(messages, answer);
        return new(example.Tokens, example.PromptLength);
    }

    private static string? Word(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text : null;

    private static IEnumerable<string> Paragraphs(IEnumerable<string> lines)
    {
        var paragraph = new List<string>();
        foreach (string line in lines.Append(""))
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                paragraph.Add(line);
                continue;
            }

            if (paragraph.Count > 0) yield return string.Join('\n', paragraph);
            paragraph.Clear();
        }
    }
}
