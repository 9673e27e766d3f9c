# install\gimp.ps1 [--download SET | --uninstall [--everything]]:
# puts the plug-in into every GIMP 3 of this user, or removes it.
#     powershell -ExecutionPolicy Bypass -File install\gimp.ps1
# The first run makes NightFlash's own Python environment and fetches networks;
# gimp.py does the work.
# NIGHTFLASH_PYTHON names an interpreter to use as it is, with no set-up (for packagers).

$suitable = 'import sys; from importlib.util import find_spec; ' +
    'sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 14)' +
    ' and find_spec(''venv'') and find_spec(''_ssl'')))'

# Windows has a "python" that only opens its shop: only a run shows it.
function Test-Python([string[]] $command) {
    $program = $command[0]
    $options = @($command | Select-Object -Skip 1)
    if (-not (Get-Command $program -CommandType Application -ErrorAction SilentlyContinue)) {
        return $false
    }
    & $program @options -c $suitable *> $null
    return $LASTEXITCODE -eq 0
}

function Write-Fault([string] $sentence) {
    [Console]::Error.WriteLine("NightFlash: $sentence")
}

if ($env:NIGHTFLASH_PYTHON) {
    $python = @($env:NIGHTFLASH_PYTHON)
    if (-not (Test-Python $python)) {
        Write-Fault ("NIGHTFLASH_PYTHON is '$env:NIGHTFLASH_PYTHON', which is no working " +
            'Python 3.11 to 3.14.')
        exit 1
    }
} else {
    $candidates = @()
    # The interpreter that the environment in the data folder was made with.
    $data = $env:NIGHTFLASH_HOME
    if (-not $data) { $data = Join-Path $env:LOCALAPPDATA 'nightflash' }
    $settings = Join-Path $data 'environment\pyvenv.cfg'
    if (Test-Path -LiteralPath $settings) {
        foreach ($line in Get-Content -LiteralPath $settings -Encoding UTF8) {
            if ($line -match '^executable = (.+)$') { $candidates += , @($Matches[1]) }
        }
    }
    foreach ($version in '3.14', '3.13', '3.12', '3.11') { $candidates += , @('py', "-$version") }
    $candidates += , @('python')
    $candidates += , @('python3')
    $python = $null
    foreach ($candidate in $candidates) {
        if (Test-Python $candidate) {
            $python = @($candidate)
            break
        }
    }
    if (-not $python) {
        Write-Fault ('no Python 3.11 to 3.14 was found. Install one ' +
            '(winget install Python.Python.3.13), then start this again.')
        exit 1
    }
}

$program = $python[0]
$options = @($python | Select-Object -Skip 1)
& $program @options (Join-Path $PSScriptRoot 'gimp.py') @args
exit $LASTEXITCODE
