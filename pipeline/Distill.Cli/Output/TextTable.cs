using System.Text;

namespace Distill.Cli.Output;

/// <summary>
/// A table for a terminal or a file. Where it is too wide, cells wrap between words, and columns that still do not fit follow in a
/// second table below. The first column, the name, never shrinks and is there in both.
/// </summary>
/// <param name="words">So many columns hold words, to the left; the others hold numbers, to the right.</param>
internal sealed class TextTable(IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows, int words = 1)
{
    private const int Gap = 2, LeastWords = 14;

    /// <summary>Lines without trailing blanks.</summary>
    /// <param name="width">Columns there are.</param>
    public IEnumerable<string> Lines(int width)
    {
        int[] natural = [.. header.Select((_, column) => Cells(column).Max(TerminalText.Width))];
        int[] least = [.. header.Select((_, column) => column == 0 ? natural[0] : Math.Min(natural[column], Least(column)))];
        bool first = true;
        foreach (int[] band in Bands(least, width))
        {
            if (!first) yield return "";
            first = false;
            foreach (string line in Lines(band, Widths(band, natural, least, width))) yield return line;
        }
    }

    /// <summary>Columns that stand side by side, the first among them.</summary>
    private IEnumerable<int[]> Bands(int[] least, int width)
    {
        List<int> band = [0];
        int taken = least[0];
        for (int column = 1; column < header.Count; column++)
        {
            if (taken + Gap + least[column] > width && band.Count > 1)
            {
                yield return [.. band];
                (band, taken) = ([0], least[0]);
            }

            band.Add(column);
            taken += Gap + least[column];
        }

        yield return [.. band];
    }

    // What is left goes to whoever lacks most of its natural width.
    private static Dictionary<int, int> Widths(int[] band, int[] natural, int[] least, int width)
    {
        var widths = band.ToDictionary(column => column, column => least[column]);
        for (int left = width - widths.Values.Sum() - (Gap * (band.Length - 1)); left > 0; left--)
        {
            int neediest = band.MaxBy(column => natural[column] - widths[column]);
            if (widths[neediest] >= natural[neediest]) break;
            widths[neediest]++;
        }

        return widths;
    }

    private IEnumerable<string> Lines(int[] band, Dictionary<int, int> widths)
    {
        if (header.Any(cell => cell.Length > 0))
        {
            foreach (string line in Row(band, widths, header)) yield return line;
            yield return string.Join(new string(' ', Gap), band.Select(column => new string('─', widths[column])));
        }

        foreach (var row in rows)
        {
            foreach (string line in Row(band, widths, row)) yield return line;
        }
    }

    private IEnumerable<string> Row(int[] band, Dictionary<int, int> widths, IReadOnlyList<string> row)
    {
        List<string>[] cells = [.. band.Select(column => Wrapped(row[column], column, widths[column]))];
        for (int i = 0; i < cells.Max(cell => cell.Count); i++)
        {
            var line = new StringBuilder();
            for (int k = 0; k < band.Length; k++)
            {
                string part = i < cells[k].Count ? cells[k][i] : "";
                string blanks = new(' ', Math.Max(0, widths[band[k]] - TerminalText.Width(part)));
                line.Append(k == 0 ? "" : new string(' ', Gap)).Append(band[k] < words ? part + blanks : blanks + part);
            }

            yield return line.ToString().TrimEnd();
        }
    }

    private IEnumerable<string> Cells(int column) => rows.Select(row => row[column]).Prepend(header[column]);

    // Words may be cut where they are very long (paths, digests); numbers never are.
    private int Least(int column)
    {
        int longest = Cells(column).SelectMany(cell => Pieces(cell, column)).Max(TerminalText.Width);
        return column < words ? Math.Min(longest, LeastWords) : longest;
    }

    private List<string> Wrapped(string cell, int column, int width)
    {
        List<string> lines = [""];
        foreach (string piece in column == 0 ? [cell] : Pieces(cell, column))
        {
            string rest = piece;
            if (lines[^1].Length > 0 && TerminalText.Width(lines[^1]) + 1 + TerminalText.Width(rest) <= width)
            {
                lines[^1] += " " + rest;
                continue;
            }

            if (lines[^1].Length > 0) lines.Add("");
            for (string part; column > 0 && TerminalText.Width(rest) > width; rest = rest[part.Length..])
            {
                part = TerminalText.Cut(rest, width) is { Length: > 0 } some ? some : rest[..1];
                lines[^1] = part;
                lines.Add("");
            }

            lines[^1] = rest;
        }

        return lines;
    }

    /// <summary>
    /// What may stand in a line of its own: words; in a column of numbers, a number with its unit, or what is in brackets.
    /// </summary>
    private List<string> Pieces(string cell, int column)
    {
        List<string> pieces = [];
        foreach (string word in cell.Split(' '))
        {
            bool joins = pieces.Count > 0 && (word is "%" || (column >= words && !BeginsAnew(pieces[^1], word)));
            if (joins) pieces[^1] += " " + word;
            else pieces.Add(word);
        }

        return pieces;
    }

    private static bool BeginsAnew(string before, string word) =>
        before.EndsWith(',') || word is "→" || word.StartsWith('[') || word.StartsWith('(')
            || (char.IsLetter(before[^1]) && word.Length > 2);
}
