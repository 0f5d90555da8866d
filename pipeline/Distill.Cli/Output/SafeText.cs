namespace Distill.Cli.Output;

/// <summary>Text that a model or a file wrote, made harmless for a terminal, which would obey its control characters.</summary>
internal static class SafeText
{
    public static string Of(string text) => text.Any(IsControl) ? new string([.. text.Select(c => IsControl(c) ? '\uFFFD' : c)]) : text;

    private static bool IsControl(char c) => char.IsControl(c) && c is not ('\n' or '\t');
}
