using System.Text;

namespace Distill.Cli.Output;

/// <summary>Text in lines that fit 80 columns, broken between words; a word that is longer stands alone.</summary>
internal static class WrappedText
{
    private const int Width = 80;

    /// <param name="indent">Blanks before every line.</param>
    public static IEnumerable<string> Lines(string text, int indent)
    {
        string margin = new(' ', indent);
        foreach (string paragraph in text.Split('\n'))
        {
            var line = new StringBuilder();
            int columns = 0;
            foreach (string word in paragraph.Split(' '))
            {
                int width = TerminalText.Width(word);
                if (columns > 0 && indent + columns + 1 + width > Width)
                {
                    yield return margin + line;
                    line.Clear();
                    columns = 0;
                }

                if (line.Length > 0) line.Append(' ');
                line.Append(word);
                columns += width + (columns > 0 ? 1 : 0);
            }

            yield return (margin + line).TrimEnd();
        }
    }
}
