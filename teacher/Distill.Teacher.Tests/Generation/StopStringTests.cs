using System.Text.Json;
using CsCheck;
using Distill.Generation;

namespace Distill.Teacher.Tests.Generation;

public sealed class StopStringTests
{
    private static readonly Gen<string> Text = Gen.Char["ab"].Array[0, 12].Select(letters => new string(letters));

    [Fact]
    public void Matches_and_what_may_be_shown_equal_the_reference()
    {
        foreach (string line in File.ReadLines(Path.Combine(FixtureFolder.Require("sampling"), "stop_strings.jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            JsonElement @case = document.RootElement;
            var matcher = new StopStringMatcher([.. @case.GetProperty("stop").EnumerateArray().Select(stop => stop.GetString()!)]);
            string shown = "";
            int? stoppedAt = null;
            string[] pieces = [.. @case.GetProperty("pieces").EnumerateArray().Select(piece => piece.GetString()!)];
            for (int i = 0; i < pieces.Length && stoppedAt is null; i++)
            {
                shown += matcher.Push(pieces[i]);
                shown.ShouldBe(@case.GetProperty("emitted")[i].GetString(), line);
                if (matcher.Matched is not null) stoppedAt = i;
            }

            shown += matcher.Flush();
            JsonElement expected = @case.GetProperty("stopped_at");
            stoppedAt.ShouldBe(expected.ValueKind == JsonValueKind.Null ? null : expected.GetInt32(), line);
            matcher.Matched.ShouldBe(@case.GetProperty("matched").GetString(), line);
            shown.ShouldBe(@case.GetProperty("text").GetString(), line);
        }
    }

    [Fact]
    public void Pieces_do_not_matter() =>
        Gen.Select(Text, Text.Where(stop => stop.Length > 0).Array[0, 3], Gen.Int[1, 5]).Sample((text, stops, size) =>
    {
        var matcher = new StopStringMatcher(stops);
        string shown = string.Concat(text.Chunk(size).Select(piece => matcher.Push(new string(piece))));
        shown += matcher.Flush();
        string? first = stops.Where(stop => text.Contains(stop, StringComparison.Ordinal))
            .MinBy(stop => text.IndexOf(stop, StringComparison.Ordinal));
        if (size == 1)
        {
            // Letter by letter a match is found as soon as it is complete.
            int end = stops.Where(stop => text.Contains(stop, StringComparison.Ordinal))
                .Select(stop => text.IndexOf(stop, StringComparison.Ordinal) + stop.Length).DefaultIfEmpty(-1).Min();
            (matcher.Matched is null ? -1 : shown.Length + matcher.Matched.Length).ShouldBe(end);
        }

        (matcher.Matched is null).ShouldBe(first is null);
        text.ShouldStartWith(shown + matcher.Matched);
        if (first is null) shown.ShouldBe(text);
    });
}
