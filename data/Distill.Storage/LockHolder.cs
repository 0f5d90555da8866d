using System.Globalization;
using System.Text.RegularExpressions;

namespace Distill.Storage;

/// <summary>
/// A process as the text of a lock names it: its number alone may be that of a stranger, on another machine or after it ended.
/// </summary>
/// <param name="Begun">When it began, by the machine's own count: equal for one process alone.</param>
internal sealed partial record LockHolder(int Process, string Machine, long Begun)
{
    /// <summary>This process.</summary>
    public static LockHolder Me { get; } = new(Environment.ProcessId, Environment.MachineName, BeginningOf(Environment.ProcessId) ?? 0);

    /// <summary>Whether it is a process of this machine that is still there.</summary>
    public bool IsHere => Machine == Environment.MachineName && Begun > 0 && BeginningOf(Process) == Begun;

    /// <returns>Null for the text of a lock that names none.</returns>
    public static LockHolder? Parse(string owner) => Form().Match(owner) is { Success: true } match
        && int.TryParse(match.Groups["id"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int process)
        && long.TryParse(match.Groups["begun"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out long begun)
            ? new LockHolder(process, match.Groups["machine"].Value, begun) : null;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"process {Process} on {Machine}, begun at {Begun}");

    private static long? BeginningOf(int process)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // The 22nd field, in clock ticks since the machine started; the second one may hold spaces and brackets.
                string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
                return long.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[19], CultureInfo.InvariantCulture);
            }

            using var found = System.Diagnostics.Process.GetProcessById(process);
            return new DateTimeOffset(found.StartTime.ToUniversalTime()).ToUnixTimeSeconds();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException
            or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null; // it is not there, or not ours to look at
        }
    }

    [GeneratedRegex(@"^process (?<id>[1-9]\d{0,9}) on (?<machine>\S{1,120}), begun at (?<begun>\d{1,18})$")]
    private static partial Regex Form();
}
